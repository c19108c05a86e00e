"""Looking at what was answered, judging it, and seeing to it that it is answered better.

The list of conversations and one of them with its evidence (`conversations`), what is to be judged
(`queue`), verdicts and their follow-ups (`judging`, `followups`), how far reviewers agree
(`agreement`), and what others count (`verdicts`).
"""
