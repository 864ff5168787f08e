// Fails when a relative link or anchor in a Markdown file of the project points to nothing. Part of npm run check.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const LINK = /\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;

/** The anchor that hosting sites make of a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[`*_]/g, '')
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replace(/ /g, '-');
}

function anchorsIn(file: string): ReadonlySet<string> {
  const headings = readFileSync(file, 'utf8').matchAll(/^#{1,6}\s+(.*)$/gm);
  return new Set([...headings].map((match) => anchorOf(match[1])));
}

/** Text without fenced code blocks, where brackets are not links. */
function prose(file: string): string {
  return readFileSync(file, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
}

function brokenLinks(file: string): readonly string[] {
  const broken: string[] = [];
  for (const match of prose(file).matchAll(LINK)) {
    const target = match[1];
    if (/^[a-z]+:/i.test(target)) {
      continue; // another site: not ours to check
    }
    const [path, anchor] = target.split('#') as [string, string | undefined];
    const resolved = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(resolved)) {
      broken.push(`${file}: ${target} does not exist`);
    } else if (
      anchor !== undefined &&
      statSync(resolved).isFile() &&
      resolved.endsWith('.md') &&
      !anchorsIn(resolved).has(anchor)
    ) {
      broken.push(`${file}: ${resolved} has no heading #${anchor}`);
    }
  }
  return broken;
}

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
});
const problems = listed
  .split('\n')
  .filter((file) => file !== '' && existsSync(file))
  .flatMap(brokenLinks);
for (const problem of problems) {
  console.error(problem);
}
process.exitCode = problems.length > 0 ? 1 : 0;
