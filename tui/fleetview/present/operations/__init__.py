"""Operations in words: what a plan would do, how far one is, and how those ended. Pure."""
