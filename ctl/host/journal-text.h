/* SPDX-License-Identifier: MIT */
/* The text of a journal's file, between the two halves of journal.h. */
#ifndef SMCSHIM_CTL_HOST_JOURNAL_TEXT_H
#define SMCSHIM_CTL_HOST_JOURNAL_TEXT_H

struct journal;

/* The caller frees it; NULL without memory. */
char *journal_text(const struct journal *journal);

#endif
