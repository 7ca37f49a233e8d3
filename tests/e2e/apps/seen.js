// Node's own http server, writing down each request whose body it got to its end. usage: seen.js PORT FILE
'use strict';
const fs = require('fs');
const http = require('http');
const [port, file] = process.argv.slice(2);

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (data) => parts.push(data));
  request.on('end', () => {
    if (!request.complete) return;
    fs.appendFileSync(file, JSON.stringify({
      method: request.method, target: request.url, client: request.headers['x-forwarded-for'] || '',
      body: Buffer.concat(parts).toString('hex'),
    }) + '\n');
    response.end('seen');
  });
});
server.keepAliveTimeout = 60000;
server.listen(Number(port), '127.0.0.1');
