"""The service of the guide, served as `gunicorn -c gunicorn_config.py limiter:app` (section 9). The name is the guide's."""

from flask import Flask

from routes import warriors

app = Flask(__name__)
app.register_blueprint(warriors)


@app.get("/health")
def health():
    """The process lives; asks no database."""
    return {"status": "ok"}
