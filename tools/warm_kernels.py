"""Start kernels for notebooks as copies of one process that has done the imports.

Importing Bambi and what it needs takes five seconds of processor time, and each notebook would
pay for it. Here one process imports it once, and each kernel is a fork of it: nothing but the
imports has run in it, its namespace is empty, and it dies without touching the others.

    with use(): ...        kernels that are started inside are forks
"""

import atexit
import builtins
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

ROOT = Path(__file__).resolve().parent.parent
NAME = "warm-kernels"
# What most notebooks import; another module is imported by the kernel itself, as ever.
IMPORTS = "from mrp_helpers import *; import arviz, matplotlib.pyplot, ipykernel.ipkernel"
INLINE = "module://matplotlib_inline.backend_inline"


class Nursery:
    """The process that has done the imports, and forks on demand."""

    process: subprocess.Popen[str] | None = None

    @classmethod
    def fork(cls, order: dict[str, Any]) -> int:
        """Start a kernel; return its process number."""
        if cls.process is None or cls.process.poll() is not None:
            cls.process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                # ipykernel chooses this backend by the same variable, but before the import.
                env={**order["env"], "MPLBACKEND": INLINE},
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(cls.close)
        assert cls.process.stdin and cls.process.stdout
        cls.process.stdin.write(json.dumps(order) + "\n")
        cls.process.stdin.flush()
        return int(cls.process.stdout.readline())

    @classmethod
    def close(cls) -> None:
        """End the process, and wait for it and what its kernels took."""
        if cls.process is not None:
            cls.process.communicate()


class Fork:
    """A kernel that is a grandchild of this process, with the part of Popen that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.process = psutil.Process(pid)

    def poll(self) -> int | None:
        return None if self.process.is_running() else 0

    def wait(self) -> int:
        self.process.wait()
        return 0

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class WarmKernels(LocalProvisioner):
    """Does what Jupyter's own provisioner does, apart from the start of the process."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork where the other would start an interpreter with this command."""
        module = cmd.index("-m")
        order = {
            "arguments": cmd[module + 2 :],
            "env": {name: value for name, value in kwargs["env"].items() if name != "MPLBACKEND"},
            "cwd": kwargs.get("cwd") or os.getcwd(),
        }
        self.pid = Nursery.fork(order)
        self.process = Fork(self.pid)
        self.pgid = self.pid
        return self.connection_info


class Entry:
    """What Jupyter takes for an entry point of an installed package."""

    name, value = NAME, f"{__name__}:WarmKernels"

    def load(self) -> type[WarmKernels]:
        return WarmKernels


@contextlib.contextmanager
def use() -> Iterator[None]:
    """Start kernels as forks while this lasts, where the system can fork."""
    factory = KernelProvisionerFactory.instance()
    usual = factory.default_provisioner_name
    if hasattr(os, "fork"):
        factory.provisioners[NAME] = Entry()
        factory.default_provisioner_name = NAME
    try:
        yield
    finally:
        factory.default_provisioner_name = usual


def become_kernel(order: dict[str, Any]) -> None:
    """Be the kernel that was ordered, from here to the end of this process."""
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()  # an interrupt reaches the kernel and its children, and nobody else
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.chdir(order["cwd"])
    os.environ.update(order["env"])
    # Whose end a kernel takes for its own: the nursery ends with the process that gave the order.
    os.environ["JPY_PARENT_PID"] = str(os.getppid())
    sys.argv = ["ipykernel_launcher", *order["arguments"]]
    sys.path[0] = order["cwd"]
    # A kernel of its own would have chances of its own.
    random.seed()
    np.random.seed()  # noqa: NPY002  (a notebook may use the old interface)
    launch_new_instance()


def bury(*_: object) -> None:
    """Take notice of every kernel that has ended, so that its time counts as this process's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> None:
    """Import, then fork for each line of the standard input; end when it ends."""
    # pandas asks, when it is imported, whether it is in a kernel: there tables have more columns.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=True)
    exec(IMPORTS, {})
    del builtins.get_ipython
    signal.signal(signal.SIGCHLD, bury)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                become_kernel(json.loads(line))
            finally:
                os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
