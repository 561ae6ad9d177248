# SPDX-License-Identifier: MIT
"""Servers and clients of Python's own library for python.sh; what they print is its result.

usage: python.py serve asyncio|threading|forking|http HOST PORT
       python.py clients HOST PORT PORT PORT PORT    of each of the four servers
       python.py alone HOST PORT

Each process imports what it needs, where it needs it: all of it takes a second or two under emulation.
"""
import select
import signal
import socket
import sys


def body(i):
    import hashlib
    # Every tenth is larger than what a socket takes at once.
    return hashlib.sha512(b"%d" % i).digest() * (1 + i * (300 if i % 10 == 9 else 20))


def serve_asyncio(host, port):
    import asyncio

    async def echo(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(echo, host, port)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)
        try:
            await server.serve_forever()
        except asyncio.CancelledError:
            pass

    asyncio.run(main())


def server_and_handler(kind):
    if kind == "http":
        import http.server

        class Page(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                data = body(int(self.path[1:]))
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        return http.server.ThreadingHTTPServer, Page
    import socketserver

    class Echo(socketserver.StreamRequestHandler):
        def handle(self):
            while data := self.rfile.read1(65536):
                self.wfile.write(data)

    return {"threading": socketserver.ThreadingTCPServer, "forking": socketserver.ForkingTCPServer}[kind], Echo


def serve(kind, host, port):
    if kind == "asyncio":
        serve_asyncio(host, port)
        return
    server, handler = server_and_handler(kind)
    server.allow_reuse_address = True
    server.daemon_threads = True
    server.request_queue_size = 64
    with server((host, port), handler) as listener:
        listener.serve_forever()


def echo(host, port, clients):
    import asyncio

    async def client(i):
        reader, writer = await asyncio.open_connection(host, port)
        data = body(i)
        sock = writer.get_extra_info("socket")
        # asyncio sets it where SO_PROTOCOL or the socket's own memory says TCP.
        nodelay = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

        async def send():
            writer.write(data)
            await writer.drain()
            writer.write_eof()

        _, answer = await asyncio.gather(send(), reader.read())
        writer.close()
        await writer.wait_closed()
        return answer == data, bool(nodelay)

    async def main():
        return await asyncio.gather(*(client(i) for i in range(clients)))

    answers = asyncio.run(main())
    print(len(answers), "clients", sorted(set(answers)))


def fetch(host, port, times):
    import hashlib
    import http.client

    digest = hashlib.sha256()
    for i in range(times):
        connection = http.client.HTTPConnection(host, port, timeout=20)
        for _ in range(3):
            connection.request("GET", f"/{i}")
            digest.update(connection.getresponse().read())
        connection.close()
    print(times, "connections", digest.hexdigest())


def child(pipe):
    with pipe.recv() as sock, sock.makefile("rwb") as stream:
        stream.write(b"from the child: " + stream.readline())
        stream.flush()


def run_multiprocessing(host, port):
    import multiprocessing
    import multiprocessing.connection
    import multiprocessing.reduction

    spawn = multiprocessing.get_context("spawn")
    with multiprocessing.connection.Listener((host, port)) as listener:
        client = multiprocessing.connection.Client((host, port))
        server = listener.accept()
        client.send({"data": body(20)})
        print("listener:", server.recv() == {"data": body(20)})
        client.close()
        server.close()
    # A connected socket, used by a process that did not make it.
    with socket.create_server((host, port + 3)) as listener:
        ours = socket.create_connection((host, port + 3))
        theirs, _ = listener.accept()
        here, there = spawn.Pipe()
        process = spawn.Process(target=child, args=(there,))
        process.start()
        here.send(theirs)
        theirs.close()
        ours.sendall(b"hello\n")
        print(ours.makefile("rb").readline().decode().strip())
        process.join()
        print("exit", process.exitcode)


def facts(host, port):
    """What programs look at before they trust a socket, at both ends of a blocking and of a nonblocking connection."""
    with socket.create_server((host, port)) as listener:
        for blocking in (True, False):
            client = socket.socket()
            client.setblocking(blocking)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            code = client.connect_ex((host, port))
            if code:
                select.select([], [client], [], 20)
            accepted, _ = listener.accept()
            print("blocking" if blocking else "nonblocking", "connect", code)
            for name, sock in (("client", client), ("accepted", accepted), ("listener", listener)):
                again = socket.socket(fileno=sock.dup().detach())
                print(" ", name, again.family.name, again.type.name, again.proto,
                      [sock.getsockopt(socket.SOL_SOCKET, option) for option in
                       (socket.SO_DOMAIN, socket.SO_PROTOCOL, socket.SO_TYPE, socket.SO_ERROR, socket.SO_ACCEPTCONN)])
                again.close()
            print("  keepalive", client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                  "peers", client.getpeername() == accepted.getsockname(), client.getsockname() == accepted.getpeername(),
                  "again", client.connect_ex((host, port)))
            client.close()
            print("  end", accepted.recv(10))
            accepted.close()


def main(what, *arguments):
    # A server is ended by SIGTERM, and that is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if what == "serve":
        serve(arguments[0], arguments[1], int(arguments[2]))
    elif what == "clients":
        for port in arguments[1:4]:
            echo(arguments[0], int(port), 20)
        fetch(arguments[0], int(arguments[4]), 10)
    elif what == "alone":
        run_multiprocessing(arguments[0], int(arguments[1]))
        facts(arguments[0], int(arguments[1]) + 1)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
