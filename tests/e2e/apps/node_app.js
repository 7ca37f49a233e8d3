// Node's own http server, telling what reached it. usage: node_app.js PORT KEEP_ALIVE_MS
'use strict';
const http = require('http');
const counts = {};
let connections = 0;

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://app');
  const json = (value) => {
    const body = Buffer.from(JSON.stringify(value));
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  };
  if (url.pathname === '/counts') return json(counts);
  if (url.pathname === '/connections') return json({ connections });
  if (url.pathname.startsWith('/count/') && request.method === 'POST') {
    request.resume().on('end', () => {
      const key = url.pathname.slice('/count/'.length);
      counts[key] = (counts[key] || 0) + 1;
      json({ count: counts[key] });
    });
    return;
  }
  if (url.pathname === '/trailers') {
    response.writeHead(200, { 'Content-Type': 'text/plain', Trailer: 'X-Checksum' });
    response.write('body');
    response.addTrailers({ 'X-Checksum': 'abc123' });
    return response.end();
  }
  if (url.pathname === '/early') { // answers before it has read the body
    response.writeHead(413, { 'Content-Type': 'text/plain' });
    return response.end('too much');
  }
  let size = 0;
  request.on('data', (data) => { size += data.length; });
  request.on('end', () => json({
    method: request.method, target: request.url, headers: request.rawHeaders, trailers: request.rawTrailers,
    body_size: size,
  }));
});
server.keepAliveTimeout = Number(process.argv[3]);
server.on('connection', () => { connections += 1; });
server.listen(Number(process.argv[2]), '127.0.0.1');
