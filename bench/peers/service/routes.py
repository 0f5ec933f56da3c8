"""The routes, the same for both databases (section 6): DB_MODE chooses the modules below them (sections 5 and 10)."""

import datetime
import os
import uuid

from flask import Blueprint, jsonify, request

if os.environ["DB_MODE"] == "postgresql":
    import warrior_postgres as store
    from connection_postgres import get_pooled_connection
else:
    import warrior_duckdb as store
    from connection_duckdb import get_pooled_connection

warriors = Blueprint("warriors", __name__)


def wrong_fields(body):
    """Names of the fields that no row could hold."""
    name, dob, skills = (body.get(key) for key in ("name", "dob", "fight_skills"))
    wrong = []
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        wrong.append("name")
    try:
        datetime.datetime.strptime(dob, "%Y-%m-%d")
    except (TypeError, ValueError):
        wrong.append("dob")
    if not isinstance(skills, list) or not skills or not all(isinstance(skill, str) for skill in skills):
        wrong.append("fight_skills")
    return wrong


@warriors.post("/warrior")
def create():
    body = request.get_json()
    wrong = wrong_fields(body)
    if wrong:
        return {"error": f"wrong fields: {', '.join(wrong)}"}, 422
    warrior = {"id": str(uuid.uuid4()), "name": body["name"], "dob": body["dob"], "fight_skills": body["fight_skills"]}
    with get_pooled_connection() as connection:
        store.create_warrior(connection, **warrior)
    return warrior, 201, {"Location": f"/warrior/{warrior['id']}"}


@warriors.get("/warrior/<uuid:id>")
def find(id):
    with get_pooled_connection() as connection:
        warrior = store.get_warrior(connection, id=str(id))
    return (warrior, 200) if warrior else ({"error": "not found"}, 404)


@warriors.get("/warrior")
def search():
    term = request.args.get("t")
    if not term:
        return {"error": "t is missing"}, 400
    with get_pooled_connection() as connection:
        return jsonify(store.search_warriors(connection, term=term))


@warriors.get("/counting-warriors")
def count():
    with get_pooled_connection() as connection:
        return {"count": store.count_warriors(connection)}
