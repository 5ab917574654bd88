# syntax=docker/dockerfile:1
# The data plane's image on a public base: docker build -f operator/dataplane.Dockerfile -t presage-dataplane .
# It holds what `make images` puts into its own: the same locked packages, user, layout and entry point; a test compares.
ARG BASE=python:3.13.7-slim-trixie

FROM ${BASE} AS packages
# For a package index of your own: --build-arg PIP_INDEX_URL=… --build-arg UV_DEFAULT_INDEX=…
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
# The system's authorities, so that a site's own certificate works.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /build
COPY requirements/bootstrap.txt requirements/dataplane.txt ./
RUN python3 -m venv tools && tools/bin/pip install --quiet --no-cache-dir --require-hashes -r bootstrap.txt
RUN tools/bin/uv pip install --quiet --no-cache --require-hashes --no-deps --only-binary :all: --python tools/bin/python \
      --target /opt/presage/site-packages -r dataplane.txt
# What nobody imports at run time.
RUN cd /opt/presage/site-packages && rm -rf bin \
    && find . -depth -type d -name tests -exec rm -rf {} + \
    && find . -type f \( -name '*.py[ix]' -o -name '*.px[di]' -o -name '*.[chfa]' -o -name '*.f90' -o -name '*.cpp' \) -delete
COPY operator/presage/*.py operator/presage/py.typed /opt/presage/src/presage/
COPY operator/presage/core /opt/presage/src/presage/core
COPY operator/presage/dataplane /opt/presage/src/presage/dataplane
COPY operator/presage/sdk /opt/presage/src/presage/sdk
COPY pyproject.toml ./
# The version, for those who ask the package for it.
RUN python3 -c "import pathlib, tomllib; v = tomllib.load(open('pyproject.toml', 'rb'))['project']['version']; \
d = pathlib.Path(f'/opt/presage/src/presage-{v}.dist-info'); d.mkdir(); \
(d / 'METADATA').write_text(f'Metadata-Version: 2.4\nName: presage\nVersion: {v}\n')"
# Compiled now: a read-only root could not, and every start would pay for it.
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/presage

FROM ${BASE}
# getpass.getuser() wants an entry.
RUN echo 'presage:x:10001:10001::/tmp:/usr/sbin/nologin' >> /etc/passwd && echo 'presage:x:10001:' >> /etc/group
COPY --from=packages /opt/presage /opt/presage
ENV PATH=/usr/local/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/presage/src:/opt/presage/site-packages \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    HOME=/tmp \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    OMP_NUM_THREADS=1 \
    OPENBLAS_NUM_THREADS=1
USER 10001:10001
WORKDIR /opt/presage
ENTRYPOINT ["python3", "-m"]
