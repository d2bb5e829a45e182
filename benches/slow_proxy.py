#!/usr/bin/env python3
"""Forwards TCP connections, and holds back what a client sends: slow_proxy.py MILLISECONDS LISTEN_PORT TARGET_PORT [...].

Stands for the way to a distant service in benches/services.sh. All ports are of this machine.
"""
import socket
import sys
import threading
import time

delay = int(sys.argv[1]) / 1000
pairs = [int(word) for word in sys.argv[2:]]


def pump(source, sink, wait):
    try:
        while data := source.recv(65536):
            if wait:
                time.sleep(wait)
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(listen, target):
    listener = socket.create_server(("127.0.0.1", listen), backlog=256)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", target))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=pump, args=(client, server, delay), daemon=True).start()
        threading.Thread(target=pump, args=(server, client, 0), daemon=True).start()


threads = [threading.Thread(target=serve, args=pair) for pair in zip(pairs[::2], pairs[1::2])]
for thread in threads:
    thread.start()
