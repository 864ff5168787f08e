// Entry of /.

import { mount } from '../ui/mount.ts';
import { HomePage } from './home-page.tsx';

mount(<HomePage />);
