"""Injection as the chart installs it: the policy, and what presage's own webhook needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chart.templates import POLICY_APIS, injection, objects, render


@pytest.mark.parametrize(("version", "options"), POLICY_APIS.values(), ids=POLICY_APIS)
def test_the_injection_policy_is_installed_in_the_version_that_is_served(
    helm: Path, version: str, options: list[str]
) -> None:
    found = injection(render(helm, None, *options))
    policy, binding = found["MutatingAdmissionPolicy"], found["MutatingAdmissionPolicyBinding"]
    assert {policy["apiVersion"], binding["apiVersion"]} == {f"admissionregistration.k8s.io/{version}"}
    assert binding["spec"] == {"policyName": policy["metadata"]["name"]}
    assert policy["spec"]["failurePolicy"] == "Ignore"
    assert "paramKind" not in policy["spec"]
    both = render(helm, None, *options, *POLICY_APIS["1.36"][1])
    assert injection(both)["MutatingAdmissionPolicy"]["apiVersion"].endswith("/v1")


def test_without_the_api_there_is_no_injection_policy_but_what_the_webhook_needs(helm: Path) -> None:
    found = injection(render(helm, None, "--kube-version", "1.33.0"))
    assert "MutatingAdmissionPolicy" not in found
    assert found.keys() >= {"MutatingWebhookConfiguration", "Service", "Secret"}
    assert "webhooks" not in found["MutatingWebhookConfiguration"]
    assert "data" not in found["Secret"]


def test_injection_can_be_switched_off_and_its_webhook_alone(helm: Path) -> None:
    on = POLICY_APIS["1.36"][1]
    assert injection(render(helm, None, *on, "--set", "injection.enabled=false")) == {}
    without = injection(render(helm, None, *on, "--set", "injection.webhook.mode=Never"))
    assert not {"MutatingWebhookConfiguration", "Service", "Secret", "ClusterRole"} & without.keys()
    assert [rule["resources"] for rule in without["Role"]["rules"]] == [["pods"]]
    assert "MutatingAdmissionPolicy" not in injection(
        render(helm, None, *on, "--set", "injection.policy.enabled=false")
    )


def test_the_certificate_of_cert_manager(helm: Path) -> None:
    found = injection(render(helm, None, "--set", "injection.webhook.certificate=CertManager"))
    assert "Secret" not in found
    certificate = found["Certificate"]["spec"]
    assert certificate["issuerRef"] == {"name": found["Issuer"]["metadata"]["name"], "kind": "Issuer"}
    assert certificate["dnsNames"] == ["presage-webhook.presage-system.svc"]
    annotations = found["MutatingWebhookConfiguration"]["metadata"]["annotations"]
    assert annotations == {"cert-manager.io/inject-ca-from": "presage-system/presage-injection"}
    secrets = [rule for rule in found["Role"]["rules"] if rule["resources"] == ["secrets"]]
    assert [rule["verbs"] for rule in secrets] == [["get"]]


def test_the_webhook_can_be_called(helm: Path) -> None:
    rendered = render(helm, None, "--set", "fullnameOverride=ahead")
    service, pod = injection(rendered)["Service"], objects(rendered)["Deployment"]["spec"]["template"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    ports = {each["name"]: each["containerPort"] for each in pod["spec"]["containers"][0]["ports"]}
    env = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
    assert str(ports[service["spec"]["ports"][0]["targetPort"]]) == env["PRESAGE_INJECTION_WEBHOOK_PORT"]
    assert service["metadata"]["name"] == env["PRESAGE_INJECTION_WEBHOOK_SERVICE"] == "ahead-webhook"
