"""Who is asking: passwords, tokens, sessions."""

import pytest
import requests


def plain(server, method, path, **more):
    """A request with nothing but what is given."""
    more.setdefault("timeout", 30)
    with requests.Session() as s:
        s.trust_env = False
        s.auth = lambda r: r  # no .netrc either
        return s.request(method, server.url + path, **more)


def signed_in(server, username=None, password=None, **headers):
    s = requests.Session()
    s.trust_env = False
    answer = s.post(server.url + "/api/v1/login", json={"username": username or server.user, "password": password or server.password},
                    headers={"Origin": server.url, **headers}, timeout=30)
    return s, answer


def test_without_credentials_the_api_is_401(server):
    answer = plain(server, "GET", "/api/v1/me")
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"].startswith('Basic realm="cairn"')
    assert answer.json()["error_code"] == "UNAUTHENTICATED"


def test_the_web_ui_gets_no_prompt_from_the_browser(server):
    answer = plain(server, "GET", "/api/v1/me", headers={"X-Requested-With": "cairn-web"})
    assert answer.status_code == 401 and "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("user,password", [("admin", "wrong"), ("admin", ""), ("nobody", "wrong"), ("", ""), ("admin\u00fc", "x" * 2000)])
def test_a_wrong_password_is_401_and_says_no_more(server, user, password):
    answer = plain(server, "GET", "/api/v1/me", headers={"Authorization": requests.auth._basic_auth_str(user.encode(), password.encode())})
    assert answer.status_code in (401, 429)
    assert "exist" not in answer.text


@pytest.mark.parametrize("header", ["Basic", "Basic ", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer", "Bearer x", "Digest a=b", "Basic " + "A" * 5000])
def test_a_broken_authorization_header_is_401(server, header):
    assert plain(server, "GET", "/api/v1/me", headers={"Authorization": header}).status_code in (400, 401)


def cpu_ticks(server):
    """Hundredths of a second that cairnd has computed."""
    fields = open(f"/proc/{server.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_a_verified_password_costs_no_hash_again(server):
    server.call("GET", "/api/v1/me")
    before = cpu_ticks(server)
    for _ in range(200):
        server.call("GET", "/api/v1/me")
    ticks = cpu_ticks(server) - before
    assert ticks < 200, f"200 requests took {ticks * 10} ms of the server: the password is hashed every time"


def test_a_bearer_token_speaks_for_its_user_until_it_is_revoked(server):
    made = server.call("POST", "/api/v1/tokens", {"name": "ci", "expires_in_days": 7})
    assert made["token"].startswith("cairn_")
    headers = {"Authorization": "Bearer " + made["token"]}
    assert plain(server, "GET", "/api/v1/me", headers=headers).json()["user"]["username"] == "admin"
    listed = [t for t in server.call("GET", "/api/v1/tokens")["tokens"] if t["id"] == made["id"]]
    assert len(listed) == 1 and listed[0]["name"] == "ci" and "token" not in listed[0]
    assert listed[0]["expires_unix_ms"] > listed[0]["created_unix_ms"]
    server.call("DELETE", f"/api/v1/tokens/{made['id']}")
    assert plain(server, "GET", "/api/v1/me", headers=headers).status_code == 401


def test_a_session_needs_no_password_and_ends_with_the_sign_out(server):
    s, answer = signed_in(server)
    assert answer.status_code == 200 and answer.json()["user"]["username"] == "admin"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("cairn=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie
    assert s.get(server.url + "/api/v1/me").json()["user"]["username"] == "admin"
    assert s.post(server.url + "/api/v1/logout", headers={"Origin": server.url}, json={}).status_code == 200
    value = cookie.split(";")[0]
    assert plain(server, "GET", "/api/v1/me", headers={"Cookie": value}).status_code == 401


@pytest.mark.parametrize("headers,status", [
    ({}, 403), ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403), ({"Sec-Fetch-Site": "same-origin"}, 200), ({"Origin": "OWN"}, 200),
    ({"Origin": "OWN", "Sec-Fetch-Site": "cross-site"}, 403),
])
def test_a_change_by_cookie_must_come_from_our_own_page(server, headers, status):
    s, _ = signed_in(server)
    headers = {k: server.url if v == "OWN" else v for k, v in headers.items()}
    answer = s.post(server.url + "/api/2.0/mlflow/experiments/search", json={"max_results": 1}, headers=headers)
    assert answer.status_code == status, answer.text


def test_a_page_of_another_site_cannot_sign_in(server):
    _, answer = signed_in(server, Origin="http://evil.example")
    assert answer.status_code == 403


def test_a_wrong_password_at_the_sign_in_is_401(server):
    _, answer = signed_in(server, username="nobody at all", password="wrong wrong wrong")
    assert answer.status_code == 401 and "Set-Cookie" not in answer.headers


def test_users_are_managed_by_administrators_alone(server):
    server.call("POST", "/api/v1/users", {"username": "ada", "password": "a long password 1"})
    headers = {"Authorization": requests.auth._basic_auth_str("ada", "a long password 1")}
    assert plain(server, "GET", "/api/v1/me", headers=headers).json()["user"]["is_admin"] is False
    for method, path, body in (("GET", "/api/v1/users", None), ("POST", "/api/v1/users", {"username": "eve", "password": "a long password 2"}),
                               ("DELETE", "/api/v1/users/admin", None), ("PATCH", "/api/v1/users/ada", {"is_admin": True})):
        answer = plain(server, method, path, headers=headers, json=body)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
    assert {u["username"] for u in server.call("GET", "/api/v1/users")["users"]} >= {"admin", "ada"}
    assert plain(server, "POST", "/api/2.0/mlflow/experiments/create", headers=headers, json={"name": "by ada"}).status_code == 200
    server.call("PATCH", "/api/v1/users/ada", {"disabled": True})
    assert plain(server, "GET", "/api/v1/me", headers=headers).status_code == 401
    server.call("DELETE", "/api/v1/users/ada")
    assert "ada" not in {u["username"] for u in server.call("GET", "/api/v1/users")["users"]}


def test_a_new_password_ends_the_other_sessions(server):
    server.call("POST", "/api/v1/users", {"username": "bob", "password": "bob's first password"})
    one, _ = signed_in(server, "bob", "bob's first password")
    two, _ = signed_in(server, "bob", "bob's first password")
    answer = one.put(server.url + "/api/v1/me/password", headers={"Origin": server.url},
                     json={"current_password": "bob's first password", "password": "bob's second password"})
    assert answer.status_code == 200, answer.text
    assert two.get(server.url + "/api/v1/me").status_code == 401
    assert one.get(server.url + "/api/v1/me").status_code == 200
    assert signed_in(server, "bob", "bob's first password")[1].status_code == 401
    assert signed_in(server, "bob", "bob's second password")[1].status_code == 200
    server.call("DELETE", "/api/v1/users/bob")


@pytest.mark.parametrize("password", ["short", "password1234", "carolcarol12" * 200])
def test_a_bad_password_is_refused_for_a_new_user(api, password):
    api.refused("POST", "/api/v1/users", {"username": "carol", "password": password})


def test_guessing_is_slowed_down_and_the_account_stays_usable_by_token(fresh_server):
    fresh_server.call("POST", "/api/v1/users", {"username": "dora", "password": "dora's long password"})
    statuses = [plain(fresh_server, "GET", "/api/v1/me", headers={"Authorization": requests.auth._basic_auth_str("dora", f"guess {i}")}).status_code
                for i in range(8)]
    assert statuses[0] == 401 and 429 in statuses
    fresh_server.call("GET", "/api/v1/me")  # others are not slowed down
