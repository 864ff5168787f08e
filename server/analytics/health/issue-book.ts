// The issues of one stream: when one opens (some findings over the threshold in a row) and when it closes (some well below it in a row),
// so that a number at the threshold does not ring the bell every second. Remembers the last ones that are over.

import type { EndedIssue, HealthIssue } from '../../read-models/health.ts';
import type { Finding } from './rule.ts';

/** What of a rule the book needs. */
export type IssueTerms = Pick<HealthIssue, 'type' | 'severity' | 'stage' | 'advice' | 'subject'> & {
  readonly opensAfter: number;
  readonly closesAfter: number;
};

export type Changes = { readonly opened: HealthIssue[]; readonly closed: EndedIssue[] };

type Progress = { over: number; well: number; issue: HealthIssue | null };

const MAX_RECENT = 10;

export class IssueBook {
  private readonly progress = new Map<string, Progress>();
  private ended: EndedIssue[] = [];

  /** Open issues, in the order in which their rules were first judged. */
  get open(): HealthIssue[] {
    return [...this.progress.values()].flatMap(({ issue }) => issue ?? []);
  }

  /** The last issues that are over, newest first. */
  get recent(): readonly EndedIssue[] {
    return this.ended;
  }

  /** Takes one finding at time `at`; null: there was nothing to judge, which counts as well. */
  judge(terms: IssueTerms, finding: Finding | null, at: number, changes: Changes): void {
    const name = `${terms.type} ${terms.subject ?? ''}`;
    const progress = this.progress.get(name) ?? { over: 0, well: 0, issue: null };
    this.progress.set(name, progress);
    progress.over = finding?.isOver === true ? progress.over + 1 : 0;
    progress.well = finding === null || finding.isWell ? progress.well + 1 : 0;
    if (progress.issue === null) {
      if (finding !== null && progress.over >= terms.opensAfter) {
        progress.issue = issueOf(terms, finding, at);
        changes.opened.push(progress.issue);
      }
    } else if (progress.well >= terms.closesAfter) {
      this.close(progress, progress.issue, at, changes);
    } else if (finding?.isOver === true) {
      progress.issue = issueOf(terms, finding, progress.issue.since); // the newest number that is wrong
    }
  }

  /** Closes what is open about a subject and forgets it. */
  forget(subject: string, at: number, changes: Changes): void {
    for (const [name, progress] of this.progress) {
      if (name.slice(name.indexOf(' ') + 1) === subject) {
        if (progress.issue !== null) {
          this.close(progress, progress.issue, at, changes);
        }
        this.progress.delete(name);
      }
    }
  }

  private close(progress: Progress, issue: HealthIssue, at: number, changes: Changes): void {
    progress.issue = null;
    const ended: EndedIssue = { ...issue, until: at };
    changes.closed.push(ended);
    this.ended = [ended, ...this.ended].slice(0, MAX_RECENT);
  }
}

function issueOf(terms: IssueTerms, { actual, expected }: Finding, since: number): HealthIssue {
  const { type, severity, stage, advice, subject } = terms;
  return { type, severity, stage, ...(subject === undefined ? {} : { subject }), actual, expected, advice, since };
}
