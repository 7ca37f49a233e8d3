"""Manifests and chart: as the published schemas want them, as strict as the restricted Pod Security level, and built around
a native sidecar whose probes and hooks ask the right questions."""
import copy
import os
import tempfile
import unittest

import yaml

from support import judges
from support.certificates import Authority
from support.gatehouse import run_to_end

CHART = os.path.join(judges.DEPLOY, "helm/gatehouse")
FULL = {  # every branch of the templates
    "app": {"image": "shop:1", "command": ["uvicorn"], "args": ["app:app"], "env": [{"name": "A", "value": "1"}],
            "envFrom": [{"secretRef": {"name": "shop"}}], "writable": ["/tmp", "/var/cache/shop"]},
    "gatehouse": {"image": "gatehouse:1", "env": [{"name": "TOKEN", "value": "x"}],
                  "config": {"health": {"token": "${TOKEN:-none}"}, "limits": {"body": "1MiB"}}},
    "tls": {"secretName": "shop-tls"},
    "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "serviceAccount": {"annotations": {"a": "b"}},
    "podLabels": {"team": "shop"}, "podAnnotations": {"a": "b"}, "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "spot", "operator": "Exists"}], "imagePullSecrets": [{"name": "registry"}],
}
SMALL = {"app": {"image": "shop:1", "writable": [], "preStopSeconds": 0}, "tls": {"selfSigned": True}, "podMonitor": {"enabled": True},
         "networkPolicy": {"enabled": False}, "disruptionBudget": {"enabled": False}}


def setUpModule():
    judges.install()


def template(test, values):
    """(exit code, objects, stderr) of the chart with those values."""
    path = os.path.join(test.enterContext(tempfile.TemporaryDirectory()), "values.yaml")
    with open(path, "w") as file:
        yaml.safe_dump(values, file)
    code, out, err = judges.helm("template", "shop", CHART, "--namespace", "shop", "--values", path)
    return code, judges.objects_of(out), err


def sources(test):
    """Everything that is shipped, by name."""
    yield "base", judges.kustomize(os.path.join(judges.DEPLOY, "kubernetes/base"))
    yield "prometheus-operator", judges.kustomize(os.path.join(judges.DEPLOY, "kubernetes/prometheus-operator"))
    for name, values in ("chart with everything", FULL), ("chart with little", SMALL):
        code, objects, err = template(test, values)
        test.assertEqual(code, 0, err)
        yield name, objects


def migration():
    with open(os.path.join(judges.DEPLOY, "kubernetes/migration/job.yaml")) as file:
        return judges.objects_of(file.read())


def one(objects, kind):
    found = [item for item in objects if item["kind"] == kind]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def pod_of(objects):
    return one(objects, "Deployment")["spec"]["template"]["spec"]


def breaches_of_restricted(pod):
    """The controls of the Pod Security Standards at level restricted that a pod breaks; an empty list is a pass."""
    breaches = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    whole = pod.get("securityContext", {})
    allowed_volumes = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "name"}
    breaches += [f"volume {volume['name']}" for volume in pod.get("volumes", []) if not set(volume) <= allowed_volumes]
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        own = container.get("securityContext", {})
        name = container["name"]
        if own.get("privileged"):
            breaches.append(f"{name}: privileged")
        if own.get("allowPrivilegeEscalation") is not False:
            breaches.append(f"{name}: allowPrivilegeEscalation")
        if own.get("capabilities", {}).get("drop") != ["ALL"] or set(own["capabilities"].get("add", [])) - {"NET_BIND_SERVICE"}:
            breaches.append(f"{name}: capabilities")
        if not own.get("runAsNonRoot", whole.get("runAsNonRoot")):
            breaches.append(f"{name}: runAsNonRoot")
        if own.get("runAsUser", whole.get("runAsUser", 1)) == 0:
            breaches.append(f"{name}: runAsUser")
        if own.get("seccompProfile", whole.get("seccompProfile", {})).get("type") not in ("RuntimeDefault", "Localhost"):
            breaches.append(f"{name}: seccompProfile")
        breaches += [f"{name}: hostPort" for port in container.get("ports", []) if port.get("hostPort")]
    return breaches


class Manifests(unittest.TestCase):
    def test_each_object_is_what_the_published_schemas_describe(self):
        self.assertEqual(judges.kubernetes_mistakes({**dict(sources(self)), "migration": migration()}), [])

    def test_the_schemas_refuse_fields_that_do_not_exist_and_values_of_the_wrong_type(self):
        base = judges.kustomize(os.path.join(judges.DEPLOY, "kubernetes/prometheus-operator"))
        spoiled = {
            "restartPolicies": lambda pod: pod["initContainers"][0].update(restartPolicies="Always"),
            "RuntimeDefaults": lambda pod: pod["securityContext"]["seccompProfile"].update(kind="RuntimeDefaults"),
            "seconds": lambda pod: pod["containers"][0]["lifecycle"]["preStop"].update(sleep={"seconds": "long"}),
            "memory": lambda pod: pod["containers"][0]["resources"]["limits"].update(memory={"of": "elephants"}),
            "name": lambda pod: pod["containers"][0].pop("name"),
        }
        sets = {}
        for word, spoil in spoiled.items():
            sets[word] = copy.deepcopy([one(base, "Deployment")])
            spoil(pod_of(sets[word]))
        sets["intervall"] = copy.deepcopy([one(base, "PodMonitor")])
        sets["intervall"][0]["spec"]["podMetricsEndpoints"][0]["intervall"] = "15s"
        mistakes = judges.kubernetes_mistakes(sets)
        for word in sets:
            with self.subTest(word):
                self.assertTrue([line for line in mistakes if line.startswith(f"{word}: ")], mistakes)

    def test_pods_meet_the_restricted_security_level_with_a_root_that_is_read_only(self):
        for name, objects in sources(self):
            with self.subTest(name):
                pod = pod_of(objects)
                self.assertEqual(breaches_of_restricted(pod), [])
                self.assertFalse(pod["automountServiceAccountToken"])
                for container in pod["initContainers"] + pod["containers"]:
                    self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
                    self.assertIn("memory", container["resources"]["limits"])
                    self.assertIn("cpu", container["resources"]["requests"])
        [job] = migration()
        self.assertEqual(breaches_of_restricted(job["spec"]["template"]["spec"]), [])
        loose = {"containers": [{"name": "a", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}}],
                 "hostNetwork": True}
        self.assertEqual(len(breaches_of_restricted(loose)), 5)

    def test_gatehouse_is_a_native_sidecar_whose_start_does_not_wait_for_the_app_that_waits_for_it(self):
        for name, objects in sources(self):
            with self.subTest(name):
                [sidecar] = pod_of(objects)["initContainers"]
                self.assertEqual(sidecar["restartPolicy"], "Always")
                probes = {kind: sidecar[kind]["httpGet"]["path"] for kind in ("startupProbe", "readinessProbe", "livenessProbe")}
                self.assertEqual(probes, {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"})
                for kind in probes:
                    self.assertEqual(sidecar[kind]["httpGet"]["port"], "gatehouse-admin")

    def test_the_end_of_a_pod_leaves_time_for_every_step(self):
        for name, objects in sources(self):
            with self.subTest(name):
                pod = pod_of(objects)
                [sidecar], [app] = pod["initContainers"], pod["containers"]
                self.assertEqual(sidecar["lifecycle"]["preStop"]["exec"]["command"][:2], ["/usr/bin/gatehouse", "drain"])
                wait = app.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
                self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], wait + 35 + 5)
                # While Gatehouse still takes requests the app is there to answer them.
                shutdown = yaml.safe_load(one(objects, "ConfigMap")["data"]["gatehouse.yaml"])["shutdown"]
                linger, deadline = int(shutdown["linger"].rstrip("s")), int(shutdown["deadline"].rstrip("s"))
                self.assertTrue(linger < wait or (linger, wait) == (0, 0), (linger, wait))
                self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], linger + deadline)

    def test_the_verbs_and_options_that_the_containers_use_exist(self):
        for name, objects in sources(self):
            with self.subTest(name):
                [sidecar] = pod_of(objects)["initContainers"]
                for command in (sidecar["args"], sidecar["lifecycle"]["preStop"]["exec"]["command"][1:]):
                    code, out, err = run_to_end(command[0], "--help")
                    self.assertIn(f"gatehouse {command[0]}", out + err)
                    for option in (word for word in command if word.startswith("-")):
                        self.assertIn(option, out)

    def test_the_sidecar_accepts_its_configuration(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        certificate, key = Authority(folder).issue("shop.example")
        for name, objects in sources(self):
            with self.subTest(name):
                text = one(objects, "ConfigMap")["data"]["gatehouse.yaml"].replace("/tls/tls.crt", certificate).replace("/tls/tls.key", key)
                path = os.path.join(folder, "gatehouse.yaml")
                with open(path, "w") as file:
                    file.write(text)
                code, _, err = run_to_end("validate", path)
                self.assertEqual(code, 0, err)
                config = yaml.safe_load(text)
                self.assertIn({"redirect_to_https": True}, [{k: v for k, v in l.items() if k != "address"} for l in config["listeners"]])

    def test_configuration_and_certificates_are_mounted_so_that_they_are_renewed_while_the_pod_runs(self):
        for name, objects in sources(self):
            with self.subTest(name):
                pod = pod_of(objects)
                for mount in pod["initContainers"][0]["volumeMounts"]:
                    self.assertNotIn("subPath", mount)
                volume = next(v for v in pod["volumes"] if v["name"] == "gatehouse-config")
                self.assertEqual(volume["configMap"]["name"], one(objects, "ConfigMap")["metadata"]["name"])

    def test_ports_labels_and_policies_name_each_other(self):
        for name, objects in sources(self):
            with self.subTest(name):
                spec = one(objects, "Deployment")["spec"]
                labels = spec["template"]["metadata"]["labels"].items()
                ports = {port["name"] for port in spec["template"]["spec"]["initContainers"][0]["ports"]}
                service = one(objects, "Service")["spec"]
                self.assertLessEqual({port["targetPort"] for port in service["ports"]}, ports - {"gatehouse-admin"})
                selectors = [service["selector"], spec["selector"]["matchLabels"]]
                for item in objects:
                    if item["kind"] == "NetworkPolicy":
                        selectors.append(item["spec"]["podSelector"]["matchLabels"])
                        reached = {port["port"] for rule in item["spec"]["ingress"] for port in rule["ports"]}
                        self.assertEqual(reached, ports)
                        everybody = [rule for rule in item["spec"]["ingress"] if "from" not in rule]
                        self.assertNotIn("gatehouse-admin", {port["port"] for rule in everybody for port in rule["ports"]})
                    elif item["kind"] in ("PodDisruptionBudget", "PodMonitor"):
                        selectors.append(item["spec"]["selector"]["matchLabels"])
                for selector in selectors:
                    self.assertLessEqual(selector.items(), labels)
                scraped = [item for item in objects if item["kind"] == "PodMonitor"]
                annotated = "prometheus.io/scrape" in spec["template"]["metadata"].get("annotations", {})
                self.assertTrue(scraped or annotated)


class Chart(unittest.TestCase):
    def test_helm_finds_nothing_to_complain_about(self):
        code, out, err = judges.helm("lint", "--strict", CHART, "--set", "app.image=shop:1", "--set", "tls.selfSigned=true")
        self.assertEqual(code, 0, out + err)

    def test_the_users_configuration_goes_over_the_charts_own(self):
        code, objects, err = template(self, FULL)
        self.assertEqual(code, 0, err)
        config = yaml.safe_load(one(objects, "ConfigMap")["data"]["gatehouse.yaml"])
        self.assertEqual(config["limits"], {"body": "1MiB", "connections": 4000})
        self.assertEqual(config["health"], {"token": "${TOKEN:-none}"})
        self.assertEqual(config["upstream"]["url"], "http://127.0.0.1:8000")

    def test_values_that_make_no_sense_are_refused_with_the_name_of_the_key(self):
        for values, word in (({"replicas": 0}, "replicas"), ({"replica": 2}, "replica"), ({"app": {"image": ""}}, "image"),
                             ({"app": {"image": "a", "port": 70000}}, "port"), ({"tls": {"self_signed": True}}, "self_signed"),
                             ({"app": {"image": "a", "runAsUser": 0}}, "runAsUser"), ({"podMonitor": {"interval": "soon"}}, "interval"),
                             ({"app": {"image": "a"}, "tls": {}}, "tls: give secretName")):
            with self.subTest(word):
                code, _, err = template(self, {**{"app": {"image": "shop:1"}, "tls": {"selfSigned": True}}, **values}
                                        if word != "tls: give secretName" else values)
                self.assertNotEqual(code, 0)
                self.assertIn(word, err)
