// Set-up of the tests that drive browsers, brokers and children of the whole machine: one that fails is run once more, because a
// machine busy with something else can starve any of them. Never silently: the totals reporter names each that needed it.

import { jest } from '@jest/globals';

jest.retryTimes(1, { logErrorsBeforeRetry: true, retryImmediately: true });
