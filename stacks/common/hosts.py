"""Host names and login callbacks, all derived from the environment's domain."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hosts:
    """The host names that the ingress answers for; `domain` is their parent."""

    domain: str

    @property
    def chat(self) -> str:
        """Open WebUI."""
        return f"chat.{self.domain}"

    @property
    def opik(self) -> str:
        """Opik, behind oauth2-proxy."""
        return f"opik.{self.domain}"

    @property
    def api(self) -> str:
        """The OpenAI-compatible API (LiteLLM)."""
        return f"api.{self.domain}"

    @property
    def grafana(self) -> str:
        """Grafana's dashboards."""
        return f"grafana.{self.domain}"

    @property
    def chat_callback(self) -> str:
        """Where Entra returns a login to Open WebUI (its generic OpenID Connect client)."""
        return f"https://{self.chat}/oauth/oidc/callback"

    @property
    def opik_callback(self) -> str:
        """Where Entra returns a login to the oauth2-proxy in front of Opik."""
        return f"https://{self.opik}/oauth2/callback"

    @property
    def grafana_callback(self) -> str:
        """Where Entra returns a login to Grafana."""
        return f"https://{self.grafana}/login/azuread"
