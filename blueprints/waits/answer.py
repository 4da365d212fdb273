"""GET and POST /waits/<id>/answer: a task's form, and its answer (docs/rules.md 7).

What is said afterwards is what was seen: the run's page once the answer is accepted; "not confirmed
yet" when nobody has said so, because it may still be accepted when a worker comes.
"""

from __future__ import annotations

import secrets
from typing import Final

from flask import Response, request, url_for

from blueprints.errors import status_of, with_retry_after
from blueprints.extensions import reading, rules, services
from blueprints.guard import actor, needs
from blueprints.hypermedia import render_page, see_other
from blueprints.schema_form.fields import make_form
from blueprints.schema_form.typed import read_form
from blueprints.schema_form.view import blank, filled
from blueprints.waits import bp
from blueprints.waits.pages import AnswerPage
from engine.errors import Invalid, NotFound, RunStudioError
from engine.runs.roles import Role
from engine.services.answer_task import OPERATION, AnswerState, answer_task
from engine.services.find_waits import TaskView, find_task

_NOT_PART_OF_THE_ANSWER: Final = {"csrf_token", "token"}


@bp.get("/<task_id>/answer")
@needs(Role.OPERATOR, OPERATION)
def ask_answer(task_id: str) -> Response:
    """The task and its form; of a closed one, what became of it."""
    task = _task(task_id)
    return _render(AnswerPage(task, new_token(), blank(make_form(task.form))))


@bp.post("/<task_id>/answer")
@needs(Role.OPERATOR, OPERATION)
def answer(task_id: str) -> Response:
    """On success the browser is on the run's page; else on the form, as it was sent."""
    task = _task(task_id)
    form, token = make_form(task.form), request.form.get("token") or new_token()
    try:
        payload = read_form(form, request.form)
        receipt = answer_task(services(), task.task_id, actor(), payload.value, token)
    except RunStudioError as error:
        if status_of(error) in {404, 500}:
            raise
        return _again(task_id, error)
    if receipt.state is AnswerState.UNCONFIRMED:
        return _render(_unconfirmed(task, token), 202)
    return see_other(url_for("runs.show", run_id=receipt.run_id))


def _unconfirmed(task: TaskView, token: str) -> AnswerPage:
    """The same answer can be sent again under the same token; another needs another form."""
    sent = tuple(
        (name, text)
        for name, text in request.form.items(multi=True)
        if name not in _NOT_PART_OF_THE_ANSWER
    )
    return AnswerPage(task, token, blank(make_form(task.form)), unconfirmed=sent)


def _again(task_id: str, error: RunStudioError) -> Response:
    """With a new token (docs/rules.md 2), and with the task as it is by now."""
    task = _task(task_id)
    problems = error.problems if isinstance(error, Invalid) else ()
    form = filled(make_form(task.form), request.form, problems)
    page = AnswerPage(task, new_token(), form, error.message)
    return with_retry_after(_render(page, status_of(error)), error)


def _task(task_id: str) -> TaskView:
    if len(task_id) > 36:
        raise NotFound("There is no such task.", code="TASK_NOT_FOUND")
    with reading() as session:
        return find_task(session, rules(), task_id)


def new_token() -> str:
    """Of a form: what is sent with it twice counts once."""
    return secrets.token_urlsafe(24)


def _render(page: AnswerPage, status: int = 200) -> Response:
    return render_page("waits/answer.html", "waits/_wait-answer.html", status=status, page=page)
