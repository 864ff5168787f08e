// Reasons are passed on as clauses, so that they can be joined, and shown as sentences.

/** The clause as viewers and operators read it: a capital letter and a full stop. */
export function asSentence(clause: string): string {
  const text = clause.charAt(0).toUpperCase() + clause.slice(1);
  return text.endsWith('.') ? text : `${text}.`;
}
