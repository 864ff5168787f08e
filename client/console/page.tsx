// Entry of /console.

import { mount } from '../ui/mount.ts';
import { ConsolePage } from './console-page.tsx';

mount(<ConsolePage />);
