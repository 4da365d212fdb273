# One image for web, worker and one-shots. Nothing but the locked Python packages is downloaded.
FROM python:3.12-slim AS packages
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-input \
        --no-deps --require-hashes --requirement requirements.lock

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# Any number above the system's own; compose gives the same one the folders it may write. A tmpfs
# mounted there again, when a container is restarted, takes its mode from these folders.
RUN mkdir -p /run/secrets /data /tmp && chown 10001:10001 /run/secrets /data && chmod 1777 /tmp
WORKDIR /srv/run-studio
COPY --from=packages /venv /venv
COPY app.py worker.py gunicorn.conf.py ./
COPY engine engine
COPY blueprints blueprints
COPY templates templates
COPY static static
COPY migrations migrations
COPY samples samples
COPY scripts scripts
USER 10001:10001
EXPOSE 8080
CMD ["gunicorn", "-c", "gunicorn.conf.py", "app:create_app()"]
