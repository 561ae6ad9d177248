# SPDX-License-Identifier: MIT
"""A client of memcached for memcached.sh: stores and reads values over many connections, prints a digest of what it read."""
import hashlib
import socket
import sys
import threading

address = (sys.argv[1], int(sys.argv[2]))
digests = {}


def value(i):
    size = 700000 if i == 7 else (i * 37) % 5000
    return hashlib.sha256(b"%d" % i).digest() * (size // 32 + 1)


def store(stream, i):
    data = value(i)
    stream.write(b"set key%d %d 0 %d\r\n" % (i, i, len(data)) + data + b"\r\n")
    stream.flush()
    if stream.readline() != b"STORED\r\n":
        raise SystemExit(f"key{i} was not stored")


def load(stream, i):
    stream.write(b"get key%d\r\n" % i)
    stream.flush()
    head = stream.readline().split()
    data = stream.read(int(head[3]))
    stream.readline()
    if stream.readline() != b"END\r\n":
        raise SystemExit(f"key{i}: no END")
    return data


def client(number):
    with socket.create_connection(address, timeout=20) as connection, connection.makefile("rwb") as stream:
        mine = range(number * 20, number * 20 + 20)
        for i in mine:
            store(stream, i)
        digest = hashlib.sha256()
        for i in mine:
            digest.update(load(stream, i))
        digests[number] = digest.hexdigest()


threads = [threading.Thread(target=client, args=(n,)) for n in range(23)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for _ in range(100):
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(b"get key3\r\nquit\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        if not answer.startswith(b"VALUE key3 3 "):
            raise SystemExit(f"key3: {answer[:40]}")
with socket.create_connection(address, timeout=20) as connection, connection.makefile("rwb") as stream:
    stream.write(b"stats\r\n")
    stream.flush()
    stats = {}
    while (line := stream.readline()) != b"END\r\n":
        _, name, content = line.split(None, 2)
        stats[name] = content.strip()
    total = hashlib.sha256("".join(digests[n] for n in sorted(digests)).encode()).hexdigest()
    print(len(digests), "clients", stats[b"curr_items"].decode(), "items", stats[b"cmd_set"].decode(), "sets", total)
