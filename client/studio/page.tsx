// Entry of /studio.

import { mount } from '../ui/mount.ts';
import { StudioPage } from './studio-page.tsx';

mount(<StudioPage />);
