"""The consent page as HTML. Pure: no FastAPI, no I/O."""

from dataclasses import dataclass
from html import escape
from string import Template

from app.routers.mcp.wire_oauth import form_target, target
from app.services.grants import Asked

MEANING = {
    "read": "read and search your memories",
    "write": "add, change and delete your memories",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the policy that it is sent with."""

    html: str
    policy: str


STYLE = """
:root { color-scheme: light dark; --ink: #18181b; --soft: #52525b; --paper: #fff; --edge: #d4d4d8; --accent: #6d28d9;
  --on-accent: #fff; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --ink: #fafafa; --soft: #a1a1aa; --paper: #18181b; --edge: #52525b;
  --accent: #a78bfa; --on-accent: #18181b; --bad: #fca5a5; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); }
main { max-width: 26rem; margin: 0 auto; overflow-wrap: anywhere; }
h1 { font-size: 1.35rem; line-height: 1.3; }
p.soft, dt { color: var(--soft); }
dl { margin: 1rem 0; padding: .75rem 1rem; border: 1px solid var(--edge); border-radius: .5rem; }
dd { margin: 0 0 .5rem; }
dd ul { margin: 0; padding-left: 1.2rem; }
label { display: block; margin: .75rem 0 .25rem; }
input { width: 100%; padding: .5rem .6rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--edge); border-radius: .4rem; }
fieldset { border: 0; padding: 0; margin: 1rem 0 0; }
legend { font-weight: 600; padding: 0; }
.row { display: flex; gap: .75rem; margin-top: 1.5rem; }
button { flex: 1; padding: .6rem; font: inherit; border-radius: .4rem; border: 1px solid var(--edge); cursor: pointer;
  background: transparent; color: inherit; }
button.yes { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.bad { color: var(--bad); font-weight: 600; }
"""

FRAME = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>$title</title>
<style nonce="$nonce">$style</style>
</head>
<body><main>
$body
</main></body>
</html>
""")

ASKING = Template("""<h1>Allow “$client” to use your memories?</h1>
<p class="soft">An application asks for access to your Commonplace. Only go on if you have just begun this yourself.</p>
<dl>
<dt>Application</dt><dd>$client</dd>
<dt>Works as the app</dt><dd>$app</dd>
<dt>You are sent on to</dt><dd>$target</dd>
<dt>It may</dt><dd><ul>$scopes</ul></dd>
</dl>
$fault
<form method="post" action="$action" autocomplete="on">
<input type="hidden" name="request" value="$request">
<input type="hidden" name="csrf" value="$csrf">
<fieldset>
<legend>Sign in</legend>
<label for="user_id">User</label>
<input id="user_id" name="user_id" autocomplete="username" autocapitalize="none" spellcheck="false" value="$user">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password">
</fieldset>
<fieldset>
<legend>or with an API key</legend>
<label for="api_key">API key</label>
<input id="api_key" name="api_key" type="password" autocomplete="off" spellcheck="false">
</fieldset>
<div class="row">
<button class="yes" name="decision" value="allow">Sign in and allow</button>
<button name="decision" value="deny" formnovalidate>Deny</button>
</div>
</form>""")

ENDED = Template("""<h1>This request cannot be answered</h1>
<p class="bad" role="alert">$fault</p>
<p>Go back to the application and begin again.</p>""")


def asking(
    asked: Asked, client: str, action: str, request: str, csrf: str, nonce: str, fault: str = "", user: str = ""
) -> Page:
    """The page that asks; `fault` says why it asks again."""
    scopes = "".join(f"<li>{escape(MEANING[scope])}</li>" for scope in asked.scopes if scope in MEANING)
    body = ASKING.substitute(
        client=escape(client),
        app=escape(asked.app),
        target=escape(target(asked.redirect_uri)),
        scopes=scopes,
        fault=f'<p class="bad" role="alert">{escape(fault)}</p>' if fault else "",
        action=escape(action),
        request=escape(request),
        csrf=escape(csrf),
        user=escape(user),
    )
    # Browsers hold the answer's redirect to `form-action`, too.
    return _page("Allow access?", body, nonce, f"'self' {form_target(asked.redirect_uri)}")


def ended(fault: str, nonce: str) -> Page:
    """The page of a request that is not good, or not any more."""
    return _page("Not possible", ENDED.substitute(fault=escape(fault)), nonce, "'none'")


def _page(title: str, body: str, nonce: str, form_action: str) -> Page:
    html = FRAME.substitute(title=title, nonce=nonce, style=STYLE, body=body)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    return Page(html, policy)
