/* What jupyterquiz's markup lacks for readers who hear a page or use the keyboard alone: groups and
   fields get their names, feedback is announced, and a number can be sent by a button as well. */

const NUMBER_LABEL = "Your number (press Enter to check it)";

function nameOptions(options, question) {
  options.setAttribute("role", "radiogroup");
  options.setAttribute("aria-labelledby", question.id);
}

function nameNumber(field, label, question) {
  label.textContent = NUMBER_LABEL;
  label.htmlFor = field.id;
  field.inputMode = "decimal";
  field.autocomplete = "off";
  // A number may be pasted; jupyterquiz forbids it.
  field.onpaste = null;
  field.setAttribute("aria-describedby", question.id);
}

function addCheckButton(field) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiz-check";
  button.textContent = "Check";
  button.addEventListener("click", () => {
    // check_numeric is jupyterquiz's; it acts on the Enter key alone.
    if (field.value !== "") check_numeric(field, { keyCode: 13 });
  });
  field.after(button);
}

function mendQuestion(quiz) {
  const question = quiz.querySelector('[id^="quizQn"]');
  const options = quiz.querySelector(".Answer");
  const field = options.querySelector(".Input-text");
  if (field) {
    nameNumber(field, options.querySelector(".InpLabel"), question);
    addCheckButton(field);
  } else {
    nameOptions(options, question);
  }
  quiz.querySelector(".Feedback").setAttribute("role", "status");
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".Quiz").forEach(mendQuestion);
});
