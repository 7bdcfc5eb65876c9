// call.mjs - start a command as a program in node would, and signal it by a library
//
// node call.mjs LIBRARY COMMAND [ARG]...
//
// For each line of standard input, which names a signal such as TERM, it signals the command once and prints `sent`.
// LIBRARY is `tree-kill`, `execa`, `execa-force` (it sends KILL 100 ms later) or `cleanup` (execa, and this
// program exits at the first line).
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { execa } from 'execa';
import treeKill from 'tree-kill';

const [library, command, ...words] = process.argv.slice(2);
const callers = {
	'tree-kill': () => {
		const { pid } = spawn(command, words, { stdio: 'inherit' });
		return (signal) => new Promise((sent) => treeKill(pid, signal, sent));
	},
	execa: () => {
		const child = execa(command, words, { stdio: 'inherit', reject: false });
		return (signal) => child.kill(signal);
	},
	'execa-force': () => {
		const child = execa(command, words, { stdio: 'inherit', reject: false, forceKillAfterDelay: 100 });
		return () => child.kill();
	},
	cleanup: () => {
		execa(command, words, { stdio: 'inherit', reject: false });
		return () => process.exit();
	},
};

const call = callers[library]();
for await (const signal of createInterface({ input: process.stdin })) {
	await call(`SIG${signal}`);
	console.log('sent');
}
