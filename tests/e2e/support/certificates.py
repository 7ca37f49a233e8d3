"""Certificates made on the spot by the openssl command: one authority, and leaves for the names a test needs."""
import os
import subprocess


class Authority:
    """A certificate authority in a folder of the test's."""

    def __init__(self, folder):
        self.folder = folder
        self.certificate = os.path.join(folder, "ca.crt")
        self._key = os.path.join(folder, "ca.key")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", "/CN=Gatehouse test authority", "-keyout", self._key, "-out", self.certificate)

    def issue(self, *names, rsa=False):
        """Paths of (certificate, private key) for those DNS names; "*.x" makes a wildcard."""
        stem = os.path.join(self.folder, names[0].replace("*", "wildcard") + (".rsa" if rsa else ""))
        key = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        _openssl("req", "-x509", "-newkey", *key, "-nodes", "-days", "2", "-subj", f"/CN={names[0]}",
                 "-CA", self.certificate, "-CAkey", self._key,
                 "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names),
                 "-addext", "basicConstraints=critical,CA:FALSE",
                 "-keyout", stem + ".key", "-out", stem + ".crt")
        return stem + ".crt", stem + ".key"


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
