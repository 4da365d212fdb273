"""A TCP connection that goes silent: what arrives is dropped unseen, with no acknowledgement.

The kernel throws away whatever comes to a socket that has this filter: bytes vanish without RST,
as behind a cut cable or a firewall that has forgotten the connection. Needs Linux; no privileges.
"""

from __future__ import annotations

import ctypes
import socket
from typing import Final

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_RETURN: Final = 0x06
"""BPF_RET | BPF_K: with 0, nothing of the packet is taken."""


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jt", ctypes.c_ubyte),
        ("jf", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    )


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


_nothing: Final = (_Instruction * 1)(_Instruction(_RETURN, 0, 0, 0))
_program: Final = _Program(1, _nothing)


def deafen(of: socket.socket) -> None:
    of.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, bytes(_program))


def restore(of: socket.socket) -> None:
    of.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
