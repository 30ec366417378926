"""How the chapters' quizzes look in a notebook; on the site, theme/static/quiz.css has its say.

The colours are the palette's blue, green and vermilion, darkened. White on each of them, and each
of them on white, has a contrast of 4.5:1 or more; on a notebook's dark ground it is almost 4:1.
"""

QUIZ_COLOURS = {
    "--jq-multiple-choice-bg": "#005a8c",
    "--jq-numeric-bg": "#005a8c",
    "--jq-numeric-input-bg": "#003a5c",
    "--jq-numeric-input-label": "currentcolor",
    "--jq-correct-color": "#008060",
    "--jq-incorrect-color": "#c04e00",
    "--jq-text-color": "#ffffff",
}
