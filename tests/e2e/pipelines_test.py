"""The templates for users' pipelines: read by a linter, and each script of ours that they call is there and does what they rely on."""
import os
import re
import subprocess
import tempfile
import unittest

import yaml

from support import judges
from support.apps import Uvicorn
from support.case import EndToEnd
from support.gatehouse import Gatehouse

GITHUB = os.path.join(judges.DEPLOY, "ci/github-actions.yml")
GITLAB = os.path.join(judges.DEPLOY, "ci/gitlab-ci.yml")
STEPS = ["test", "build", "scan", "gate", "deploy", "verify", "roll"]


def setUpModule():
    judges.install()


class Templates(unittest.TestCase):
    def test_actionlint_finds_nothing_in_the_github_workflow(self):
        self.assertEqual(judges.workflow_mistakes(GITHUB), [])
        with open(GITHUB) as file, tempfile.NamedTemporaryFile("w", suffix=".yml") as spoiled:
            spoiled.write(file.read().replace("steps.push.outputs", "steps.psh.outputs"))
            spoiled.flush()
            self.assertIn("psh", "\n".join(judges.workflow_mistakes(spoiled.name)))

    def test_gitlab_jobs_are_in_known_stages_and_need_jobs_of_earlier_ones(self):
        with open(GITLAB) as file:
            pipeline = yaml.safe_load(file)
        stages = pipeline["stages"]
        jobs = {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}
        self.assertEqual({job["stage"] for job in jobs.values()}, set(stages))
        for name, job in jobs.items():
            self.assertTrue(all(isinstance(line, str) for line in job["script"]), name)
            for needed in job.get("needs", []):
                self.assertLess(stages.index(jobs[needed]["stage"]), stages.index(job["stage"]))
        # Going back follows a deploy that failed, not a gate that stayed shut.
        self.assertEqual(jobs["roll-back"]["needs"], ["deploy", "verify"])
        self.assertEqual([rule["when"] for rule in jobs["roll-back"]["rules"]], ["on_failure"])

    def test_both_go_through_every_step_in_order(self):
        for path in (GITHUB, GITLAB):
            with open(path) as file:
                text = re.sub(r"^\s*#.*$", "", file.read(), flags=re.M)
            marks = ["make test", "--platform|platforms:", "trivy", "migration-gate --backup", "set image", "verify-deploy", "rollout undo"]
            places = [re.search(mark, text).start() for mark in marks]
            self.assertEqual(places, sorted(places), dict(zip(STEPS, places)))

    def test_the_scripts_that_they_call_exist_with_the_options_that_they_give(self):
        for path in (GITHUB, GITLAB):
            with open(path) as file:
                calls = re.findall(r"^\s*(?:- |run: |- run: )?(deploy/(?:ci|backup)/\S+)(.*)$", file.read(), re.M)
            self.assertGreaterEqual(len(calls), 4)
            for script, rest in calls:
                self.assertTrue(os.access(os.path.join(judges.ROOT, script), os.X_OK), script)
                with open(os.path.join(judges.ROOT, script)) as file:
                    source = file.read()
                for option in re.findall(r" (--[a-z]+)", re.sub(r"'[^']*'", "", rest)):
                    self.assertIn(f"{option})", source)


class VerifyDeploy(EndToEnd):
    def verify(self, proxy, *more):
        done = subprocess.run([os.path.join(judges.DEPLOY, "ci/verify-deploy"), f"https://shop.example.com:{proxy.https[1]}", "--at", "127.0.0.1", "-k", "--times", "2",
                               "--plain", f"http://shop.example.com:{proxy.http[1]}", *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def proxy(self, app, **config):
        from support.ports import free_port
        return self.start(Gatehouse({
            "listeners": [{"address": f"127.0.0.1:{free_port()}", "redirect_to_https": True},
                          {"address": f"127.0.0.1:{free_port()}", "tls": {"self_signed": True}}],
            "upstream": {"url": app.url, "health": {"path": "/", "interval": "200ms"}}, "security_headers": {"preset": "api"}, **config}))

    def test_a_deploy_that_went_well_is_found_well(self):
        proxy = self.proxy(self.start(Uvicorn()))
        code, said = self.verify(proxy, "--for", "60")
        self.assertEqual(code, 0, said)
        self.assertIn("well 2 times in a row", said)

    def test_an_app_that_does_not_answer_is_told(self):
        app = self.start(Uvicorn())
        proxy = self.proxy(app)
        app.stop()
        code, said = self.verify(proxy, "--for", "2")
        self.assertEqual(code, 1)
        self.assertRegex(said, "not well after 2 s[\\s\\S]*status 502")

    def test_headers_that_went_missing_are_told(self):
        proxy = self.proxy(self.start(Uvicorn()), security_headers={"preset": "none"})
        code, said = self.verify(proxy, "--for", "2")
        self.assertEqual(code, 1)
        self.assertIn("no strict-transport-security", said)
