"""Numbers of ports for who binds them later."""
import pathlib
import random
import socket

LOWEST = 10000


def _of_nobody():
    """A number that the kernel does not give to whoever connects or asks for any, if there are such."""
    first, last = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split())
    return random.choice([port for port in range(LOWEST, 65536) if not first <= port <= last] or [0])


def free_port():
    """One of 127.0.0.1 that is free for both UDP and TCP, and likely to stay so until it is bound, and between two
    servers. (With one of those that the kernel gives away, a client could even be connected with itself.)"""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", _of_nobody()))
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return tcp.getsockname()[1]
