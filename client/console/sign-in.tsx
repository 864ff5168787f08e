// Asks for the operator token when the console is opened from another machine. It is kept for this tab only.

import { useState } from 'preact/hooks';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/text-field.tsx';
import './sign-in.css';

/** One field and a button. */
export function SignIn({ isWrong, onToken }: { readonly isWrong: boolean; readonly onToken: (token: string) => void }) {
  const [token, setToken] = useState('');
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        onToken(token.trim());
      }}
    >
      <h2>Operators only</h2>
      <p>
        Numbers about streams and viewers are shown on the server itself, or with the operator token that it printed
        when it started.
      </p>
      <TextField
        label="Operator token"
        type="password"
        value={token}
        onInput={setToken}
        {...(isWrong ? { problem: 'The server does not accept this token.' } : {})}
      />
      <Button kind="primary" type="submit" isDisabled={token.trim() === ''}>
        Sign in
      </Button>
    </form>
  );
}
