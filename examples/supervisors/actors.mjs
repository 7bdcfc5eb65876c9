// actors.mjs - actors that each own a process
//
//	node actors.mjs DIRECTORY COMMAND...
//
// Each COMMAND, for sh, runs in DIRECTORY below a fry-run. TERM and INT stop the actors in the opposite
// order, each when the one before has ended. If this program is killed, -p stops all processes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

class Actor {
	constructor(number, cwd, command) {
		this.number = number;
		// Descriptor 3 is for the report. COMMAND does not get it.
		this.child = spawn('fry-run', ['-p', 'TERM', '-k', '5s', '--report=fd:3', '--', 'sh', '-c', command],
			{ cwd, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
		this.ended = once(this.child, 'exit');
		this.report = text(this.child.stdio[3]);
	}

	async stop() {
		this.child.kill('SIGTERM');
		const { cause, status, leftovers } = JSON.parse(await this.report);
		await this.ended; // nothing of the process is left now
		console.log(`task ${this.number}: ${cause}, status ${status}, ${leftovers.length} left behind`);
	}
}

const [directory, ...commands] = process.argv.slice(2);
const stops = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
const actors = commands.map((command, i) => new Actor(i + 1, directory, command));
console.log('started');
await stops;
for (const actor of actors.reverse())
	await actor.stop();
