import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';

/** A bare Node server that sends the file `argv[3]` to each request at the port `argv[2]`: the least that a file costs. */
const [port, path = ''] = process.argv.slice(2);
const { size } = statSync(path);
createServer((_request, response) => {
  response.writeHead(200, { 'Content-Length': size });
  createReadStream(path).pipe(response);
}).listen(Number(port), '127.0.0.1');
