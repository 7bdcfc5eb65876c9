// server.cjs - a server that tidies up upon its first signal, and dies of a second one before it is done
//
// node server.cjs SIGNAL: says `ready PID`, `tidying` and `tidied` in the file `server`, and exits if that exists
const { appendFileSync, existsSync } = require('node:fs');
const { createServer } = require('node:http');

if (existsSync('server')) process.exit(0);

const say = (line) => appendFileSync('server', `${line}\n`);
const server = createServer().listen(0, '127.0.0.1', () => say(`ready ${process.pid}`));

process.once(process.argv[2], () => {
	say('tidying');
	server.close(() => setTimeout(() => {
		say('tidied');
		process.exit(0);
	}, 200));
});
