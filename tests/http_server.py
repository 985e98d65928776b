"""A web server on 127.0.0.1 for the download tests: good files and every way a mirror can fail.

Usage: http_server.py FOLDER. Prints its port in one line, serves until it is killed. Routes, NAME a file of FOLDER:
  /good/NAME       the file
  /redirect/NAME   to /good/NAME
  /truncated/NAME  the length of the whole file is promised, half of it is sent
  /wrong/NAME      another content
  /hanging/NAME    half of the file is sent, then nothing more, the connection stays open
  /silent/NAME     not even a status is sent
  anything else    404
"""

import http.server
import pathlib
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        route, _, name = self.path.lstrip("/").partition("/")
        path = pathlib.Path(sys.argv[1]) / name
        known = route in ("good", "redirect", "truncated", "wrong", "hanging", "silent")
        if not known or not path.is_file():
            self.send_error(404)
            return
        if route == "silent":
            time.sleep(3600)
        if route == "redirect":
            self.send_response(302)
            self.send_header("Location", "/good/" + name)
            self.end_headers()
            return
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if route == "wrong":
            body = bytes(len(body))
        if route in ("truncated", "hanging"):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        self.wfile.flush()
        if route == "hanging":
            time.sleep(3600)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
