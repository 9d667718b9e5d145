"""Draw figures/page.png, the page of `colorkit serve`: `python .ci/screenshot.py PICTURE...`."""

import shutil
import sys

from playwright.sync_api import sync_playwright

from colorkit.page import launch

with sync_playwright() as playwright:
    server = launch()
    # The Chromium of the system, or else that of Playwright.
    found = shutil.which("chromium")
    browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1100, "height": 740})
    page.goto(server.local_url)
    page.set_input_files("#drop input[type=file]", sys.argv[1:])
    page.wait_for_selector("#compare img")
    page.wait_for_timeout(3000)
    page.screenshot(path="figures/page.png")
    browser.close()
    server.close()
