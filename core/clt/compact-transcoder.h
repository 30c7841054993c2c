/* compact-transcoder.h - what reader and writer of the compact form share. */
#pragma once

/* The value of "format" in __metadata__; the number changes with the layout. */
#define CW_COMPACT_FORMAT "clew-transcoder-1"
