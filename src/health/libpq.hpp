// libpq, opened at run time by the first PostgreSQL check: with it come Kerberos, LDAP and GnuTLS, which would cost
// every process memory and time at its start. Thread: any.
#pragma once

#include <libpq-fe.h>

namespace gatehouse::health {

// The functions that a check calls, under libpq's own names without the prefix PQ.
struct Libpq {
  decltype(&PQclear) clear = nullptr;
  decltype(&PQconndefaults) conndefaults = nullptr;
  decltype(&PQconnectPoll) connectPoll = nullptr;
  decltype(&PQconnectStartParams) connectStartParams = nullptr;
  decltype(&PQconnectionNeedsPassword) connectionNeedsPassword = nullptr;
  decltype(&PQconninfoFree) conninfoFree = nullptr;
  decltype(&PQconsumeInput) consumeInput = nullptr;
  decltype(&PQerrorMessage) errorMessage = nullptr;
  decltype(&PQfinish) finish = nullptr;
  decltype(&PQflush) flush = nullptr;
  decltype(&PQgetResult) getResult = nullptr;
  decltype(&PQisBusy) isBusy = nullptr;
  decltype(&PQresultErrorField) resultErrorField = nullptr;
  decltype(&PQresultStatus) resultStatus = nullptr;
  decltype(&PQsendQuery) sendQuery = nullptr;
  decltype(&PQsetErrorVerbosity) setErrorVerbosity = nullptr;
  decltype(&PQsetnonblocking) setnonblocking = nullptr;
  decltype(&PQsocket) socket = nullptr;
  decltype(&PQstatus) status = nullptr;
};

// Null where this machine has no libpq.so.5, or one without these functions. It stays open until the process ends.
const Libpq* libpq() noexcept;

}  // namespace gatehouse::health
