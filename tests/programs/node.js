// SPDX-License-Identifier: MIT
// Servers and clients of Node's own library for node.sh:
// node.js serve net|http|cluster HOST PORT; node.js clients HOST PORT-OF-NET PORT-OF-HTTP PORT-OF-CLUSTER
'use strict';
const cluster = require('cluster');
const crypto = require('crypto');
const http = require('http');
const net = require('net');

const what = process.argv[2];

// Every tenth is larger than what a socket takes at once.
function body(i) {
    return crypto.createHash('sha512').update(String(i)).digest('hex').repeat(1 + i * (i % 10 === 9 ? 200 : 10));
}

function page(request, response) {
    response.end(body(Number(request.url.slice(1))));
}

function serve(kind, host, port) {
    if (kind === 'net') {
        // The answer begins while the question still comes.
        net.createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(port, host);
    } else if (kind === 'http') {
        http.createServer(page).listen(port, host);
    } else if (cluster.isPrimary) {
        // Round robin: the primary accepts and passes the descriptors on.
        cluster.fork();
        cluster.fork();
        process.on('SIGTERM', () => {
            let left = 2;
            cluster.on('exit', () => { if (--left === 0) process.exit(0); });
            for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
        });
    } else {
        http.createServer(page).listen(port, host);
    }
}

function echo(host, port, i) {
    return new Promise((resolve, reject) => {
        const data = body(i);
        const parts = [];
        const socket = net.connect({ port, host, allowHalfOpen: true, noDelay: i % 2 === 0, keepAlive: i % 3 === 0 });
        socket.on('error', reject);
        socket.on('data', (part) => parts.push(part));
        socket.on('end', () => resolve(Buffer.concat(parts).toString() === data));
        socket.end(data);
    });
}

function fetch(agent, host, port, i) {
    return new Promise((resolve, reject) => {
        const request = http.get({ host, port, agent, path: `/${i}` }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('end', () => resolve(Buffer.concat(parts).toString() === body(i)));
        });
        request.on('error', reject);
    });
}

function say(kind, answers) {
    console.log(kind, answers.length, 'answers', answers.every(Boolean) ? 'right' : answers);
}

async function clients(host, netPort, httpPort, clusterPort) {
    say('net', await Promise.all([...Array(20).keys()].map((i) => echo(host, netPort, i))));
    const error = await new Promise((resolve) => net.connect(netPort + 20, host).on('error', resolve));
    console.log('nobody listens:', error.code);

    const kept = new http.Agent({ keepAlive: true, maxSockets: 6 });
    say('http, kept', await Promise.all([...Array(30).keys()].map((i) => fetch(kept, host, httpPort, i))));
    kept.destroy();
    for (const port of [httpPort, clusterPort]) {
        const answers = [];
        for (let i = 0; i < 10; i++) answers.push(await fetch(new http.Agent(), host, port, i));
        say('http, one each', answers);
    }
}

if (what === 'serve') serve(process.argv[3], process.argv[4], Number(process.argv[5]));
else clients(process.argv[3], ...process.argv.slice(4).map(Number));
