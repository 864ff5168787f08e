#!/usr/bin/env node
// Entry: the CLI. One file per command under cli/.
