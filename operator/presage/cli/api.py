"""Types of the API that the command-line tool reads besides presage's own."""

from __future__ import annotations

from presage.core.resource_type import ResourceType

DEFINITIONS = ResourceType(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
PODS = ResourceType("", "v1", "pods", "Pod")
POLICIES = ResourceType(
    "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", namespaced=False
)
BINDINGS = ResourceType(
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
    namespaced=False,
)
BUDGETS = ResourceType("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")

PART = "app.kubernetes.io/part-of=presage"
OPERATOR = f"{PART},app.kubernetes.io/component=operator"
DEFAULT_NAMESPACE = "presage-system"
