// A button: primary for the one thing to do, quiet for the rest.

import type { ComponentChildren } from 'preact';
import './button.css';

type ButtonProps = {
  readonly kind?: 'primary' | 'quiet' | 'danger';
  readonly onClick?: () => void;
  readonly isDisabled?: boolean;
  readonly type?: 'button' | 'submit';
  readonly children: ComponentChildren;
};

/** One button with words on it. */
export function Button({ kind = 'quiet', onClick, isDisabled = false, type = 'button', children }: ButtonProps) {
  return (
    <button class={`button button-${kind}`} type={type} disabled={isDisabled} onClick={onClick}>
      {children}
    </button>
  );
}
