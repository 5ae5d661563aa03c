"""The page that a browser sees at `/`."""

from mockchat.version import __version__

WELCOME = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>mockchat</title>
<style>body {{ font: 1rem/1.6 system-ui; max-width: 40rem; margin: 4rem auto }}</style>
<h1>mockchat {__version__}</h1>
<p>A local stand-in for CometChat's user and authentication service. It is up.</p>
<ul>
<li><a href="/_mock/health">health</a></li>
<li><a href="/_mock/errors">the error catalogue</a></li>
<li><a href="/_mock/ca.pem">the CA</a> that clients are to trust for HTTPS</li>
</ul>
<p>CometChat SDKs open their WebSocket at this address.</p>
</html>
"""
