#!/usr/bin/env node
// Entry: the CLI. Exit 0 done, 1 the input or the peer failed, 2 wrong usage or configuration; one clear sentence on stderr.

import { runCommandLine } from './cli/program.ts';

process.exitCode = await runCommandLine(process.argv.slice(2));
