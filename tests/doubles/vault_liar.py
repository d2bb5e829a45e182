#!/usr/bin/env python3
"""A vault that must not be trusted, for tests/azure.rs.

It is an HTTP CONNECT proxy that answers for every host itself, with the rig's certificate, in one of these ways:
  wrong-challenge   asks for a token of another cloud's resource
  silent            takes the connection and never answers
It prints its port and then one line of JSON for each thing that it is asked.
"""

import json
import socketserver
import ssl
import sys
import threading
import time

state, mode = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(state + "/server.pem", state + "/server.key")
lock = threading.Lock()


def say(**what):
    with lock:
        print(json.dumps(what), flush=True)


def head(stream):
    lines = []
    while True:
        line = stream.readline(65536).decode("latin-1").rstrip("\r\n")
        if not line:
            return lines
        lines.append(line)


class Proxy(socketserver.StreamRequestHandler):
    def handle(self):
        lines = head(self.rfile)
        if not lines:
            return
        host = lines[0].split(" ")[1].rpartition(":")[0]
        say(connect=host)
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        try:
            inside = tls.wrap_socket(self.connection, server_side=True)
        except (OSError, ssl.SSLError):
            return
        stream = inside.makefile("rb")
        try:
            self.answer(host, inside, stream)
        except OSError:
            pass

    def answer(self, host, inside, stream):
        while True:
            lines = head(stream)
            if not lines:
                return
            fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
            body = stream.read(int(fields.get("content-length") or 0))
            say(host=host, request=lines[0], token="authorization" in fields, body=len(body))
            if mode == "silent":
                time.sleep(600)
                return
            error = b'{"error":{"code":"Unauthorized","message":"a token is missing"}}'
            inside.sendall(
                b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
                b'WWW-Authenticate: Bearer authorization="https://login.microsoftonline.com/'
                b'11111111-2222-3333-4444-555555555555", resource="https://vault.azure.cn"\r\n'
                b"Content-Length: %d\r\n\r\n%s" % (len(error), error))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


server = Server(("127.0.0.1", 0), Proxy)
print(server.server_address[1], flush=True)
server.serve_forever()
