/* SPDX-License-Identifier: MIT */
/* The manual, for tests that hold it against the program. */
#ifndef SMCSHIM_TESTS_UNIT_MANUAL_H
#define SMCSHIM_TESTS_UNIT_MANUAL_H

/* The text of doc/PAGE, each run of white space as one blank; fails the test without it. Static. */
const char *manual_read(const char *page);

#endif
