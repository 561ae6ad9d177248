#!/usr/bin/python3 -IS
# SPDX-License-Identifier: MIT
"""Asks a web server for one page again and again, each time over a new connection; the load for reloads and restarts.

usage: httpload.py HOST PORT PATH THREADS SECONDS COUNT-FILE    ends early when COUNT-FILE.stop exists
Prints "N failed", each failure on stderr; writes the number of good answers to COUNT-FILE.
"""
import http.client
import os
import sys
import threading
import time

lock = threading.Lock()
good = 0
bad = 0
bodies = set()


def work(host, port, path, until, stop):
    global good, bad
    while time.monotonic() < until and not os.path.exists(stop):
        try:
            connection = http.client.HTTPConnection(host, port, timeout=10)
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            error = None if answer.status == 200 else f"status {answer.status}"
        except (OSError, http.client.HTTPException) as e:
            error = repr(e)
        with lock:
            if error:
                bad += 1
                print(error, file=sys.stderr)
            else:
                good += 1
                bodies.add(body)


def main(host, port, path, threads, seconds, count_file):
    until = time.monotonic() + float(seconds)
    workers = [threading.Thread(target=work, args=(host, int(port), path, until, count_file + ".stop"))
               for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with open(count_file, "w", encoding="ascii") as file:
        file.write(f"{good}\n")
    print(f"{bad} failed, {len(bodies)} different bodies")


main(*sys.argv[1:])
