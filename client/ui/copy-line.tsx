// A line to copy: the text as it is, and a button that puts it on the clipboard.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';
import './copy-line.css';

const CONFIRMED_MS = 2000;

async function copy(input: HTMLInputElement): Promise<boolean> {
  input.select();
  if ('clipboard' in navigator) {
    return navigator.clipboard.writeText(input.value).then(
      () => true,
      () => false,
    );
  }
  // A page that is not a secure context has no clipboard: the old command still works there.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- nothing replaces it there
  return document.execCommand('copy');
}

/** `label` names the text for those who do not see it. */
export function CopyLine({ label, text }: { readonly label: string; readonly text: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setCopied(false), CONFIRMED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const onCopy = () => {
    if (input.current !== null) {
      void copy(input.current).then(setCopied);
    }
  };
  return (
    <div class="copy-line">
      <input
        ref={input}
        type="text"
        readOnly
        value={text}
        aria-label={label}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button type="button" onClick={onCopy} aria-label={`Copy: ${label}`} title="Copy">
        <Icon name={isCopied ? 'check' : 'copy'} size={18} />
      </button>
      <span class="copy-line-said" role="status">
        {isCopied ? 'Copied' : ''}
      </span>
    </div>
  );
}
