"""Real database servers for tests: started in a folder of their own, stopped and removed with the session."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

PASSWORD = "pa@ss/w#rd-5ecret"


@dataclass(frozen=True)
class Server:
    """A running server and how to log in to it."""

    kind: str
    port: int
    user: str = "perennial"
    password: str = PASSWORD

    def uri(self, database: str, password: str | None = None, port: int | None = None, user: str | None = None) -> str:
        secret = quote(self.password if password is None else password, safe="")
        return f"{self.kind}://{user or self.user}:{secret}@127.0.0.1:{port or self.port}/{database}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_program(name: str) -> str | None:
    """A server's program, on the path or where Debian keeps it."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}")) + [Path("/usr/sbin") / name]
    return shutil.which(name) or next((str(path) for path in reversed(debian) if path.is_file()), None)


def _as(user: str, command: list[str]) -> list[str]:
    """Servers refuse to run as root: their own user does it then."""
    return ["runuser", "-u", user, "--", *command] if os.geteuid() == 0 else command


@contextmanager
def _folder(user: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="perennial-server-", dir="/tmp"))  # a socket's path must be short
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[Server]:
    initdb, pg_ctl = find_program("initdb"), find_program("pg_ctl")
    assert initdb and pg_ctl
    with _folder("postgres") as folder:
        secret, port = folder / "password", free_port()
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
        run(_as("postgres", [initdb, "-D", f"{folder}/data", "-U", "perennial", "-A", "scram-sha-256",
                             f"--pwfile={secret}", "--no-sync", "-E", "UTF8", "--no-locale"]), folder)  # fmt: skip
        start = [pg_ctl, "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start"]
        run(_as("postgres", start), folder)
        try:
            yield Server("postgresql", port)
        finally:
            run(_as("postgres", [pg_ctl, "-D", f"{folder}/data", "-m", "immediate", "stop"]), folder)


@contextmanager
def mariadb() -> Iterator[Server]:
    import pymysql

    install, daemon = find_program("mariadb-install-db"), find_program("mariadbd")
    assert install and daemon
    with _folder("mysql") as folder:
        port, data = free_port(), f"--datadir={folder}/data"
        quick = ["--no-defaults", data, "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
        run(_as("mysql", [install, *quick, "--skip-test-db", "--auth-root-authentication-method=normal"]), folder)
        command = [daemon, *quick, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(_as("mysql", command), cwd=folder, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    root = pymysql.connect(unix_socket=f"{folder}/s", user="root")
                    break
                except pymysql.err.OperationalError:
                    assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                    time.sleep(0.1)
            with root, root.cursor() as cursor:
                cursor.execute("CREATE USER perennial@'%%' IDENTIFIED BY %s", (PASSWORD,))
                cursor.execute("GRANT ALL ON *.* TO perennial@'%' WITH GRANT OPTION")
            yield Server("mysql", port)
        finally:
            process.terminate()
            process.wait(30)


def run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120)
