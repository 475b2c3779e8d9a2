// Says so when the page did not start. Not a module: when one does not come, none of them runs.
addEventListener('load', () => {
  if (!document.body.dataset.state) document.querySelector('#state').textContent = 'The page did not load whole: reload it.';
});
