namespace gatehouse {}
